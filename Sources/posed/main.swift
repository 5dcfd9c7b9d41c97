print("posed")
